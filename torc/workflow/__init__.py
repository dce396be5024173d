"""The user's verbs over whole workflows, for every front end: create, initialize, delete."""
