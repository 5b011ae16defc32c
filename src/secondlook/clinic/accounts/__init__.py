"""People, their practices and roles, and the rules of who may do what."""
