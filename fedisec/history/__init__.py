"""What was seen when: the states of an item over time, trends, and two scans beside each other."""
