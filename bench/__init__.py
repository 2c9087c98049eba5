"""`python -m bench`: how fast Signoff is, beside a floor that does the same hops by hand. Asserts nothing."""
