"""What every mail says: notices in, one page of blocks out, written as plain text and as HTML."""
