"""The only code that speaks to the API server; kubernetes-asyncio gives it credentials and TLS."""
