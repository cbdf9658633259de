"""What the tests stand on: processes of the product, the services around it, and ways to look at what comes out."""
