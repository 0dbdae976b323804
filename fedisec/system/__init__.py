"""How fedisec itself is: for an operator when something seems wrong, and for a load balancer."""
