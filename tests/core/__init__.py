"""The scheduler is tested as what it is: events in, exact effects out, no world around it."""
