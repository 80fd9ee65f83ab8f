"""How well the engine detects: runs over labelled names, scored by the labels' own program."""
