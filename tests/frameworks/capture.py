"""Prints a SQLite file as SQL text that makes it again: capture.py FILE"""

import sqlite3
import sys

connection = sqlite3.connect(sys.argv[1])
for statement in connection.iterdump():
    print(statement)
