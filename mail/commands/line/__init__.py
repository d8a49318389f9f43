"""The command line that all commands share: arguments, errors, workers, files of the user's own, completion."""
