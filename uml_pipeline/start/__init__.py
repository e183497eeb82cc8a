"""The first hour: what a folder holds, a new study, whether all is well before anything runs, and the machine."""
