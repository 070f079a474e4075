"""Prints a SQLite file as SQL text that makes it again: capture.py FILE"""

import sqlite3
import sys

connection = sqlite3.connect(sys.argv[1])
# As the shell's .dump begins: tables come in the order of their names.
print("PRAGMA foreign_keys = OFF;")
for statement in connection.iterdump():
    print(statement)
