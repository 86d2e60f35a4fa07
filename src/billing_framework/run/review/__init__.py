"""What officers see of a run and decide about its drafts."""
