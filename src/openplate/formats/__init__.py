"""Recognitions in other programs' words: pure functions, values in and plain JSON values out.

Only here are numbers rounded and the vendors' habits followed. What a format needs besides the
recognition (a file name, the time) comes in as an argument; nothing is read, written or asked.
"""
