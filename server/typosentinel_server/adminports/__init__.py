"""How the administrative routes see a server's parts: `ports` says what they ask, the others answer for one part."""
