"""Work that outlives the request or the process that asked for it: a table, a lease, and done once."""
