"""The only code that speaks to the API server; kubernetes-asyncio reads kubeconfigs for it."""
