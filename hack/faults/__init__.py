"""Attacks on a server of its own, over real sockets: who is slow, who sends bombs, and who is served all the same."""
