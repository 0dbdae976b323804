"""The first version of the API.  What it takes and gives is `fedisec/api/openapi.json`;
a field that goes away or means something else makes a second version, while new ones may come at any time."""
