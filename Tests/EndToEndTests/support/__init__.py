"""Independent parts that the end-to-end tests drive Culvert with; none of them shares code with it."""
