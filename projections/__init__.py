"""The read side: answers as sums over the ledger. All of it can be deleted and rebuilt."""
