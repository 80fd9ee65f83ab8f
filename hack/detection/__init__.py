"""What detection is measured with and where its tables come from."""
