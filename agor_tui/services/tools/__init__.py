"""What the tools of the agents did, in a line or as a difference, from the blocks of a message."""
