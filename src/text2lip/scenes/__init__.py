"""Who talks, and in front of what: a portrait or a film, seen once for any number of clips."""
