"""The terminal that the app runs in: what is typed, what is shown, and lending it to another program."""
