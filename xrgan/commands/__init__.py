"""One module per command: its flags on top, and what happens below.

Stages know nothing of one another; here is what one hands to the next. They are imported inside the functions, so that
a command waits for no more than it uses.
"""
