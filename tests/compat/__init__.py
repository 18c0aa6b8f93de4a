"""What stores, ids and answers made by commit dfe4889 must still be."""
