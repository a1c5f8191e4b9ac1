"""``--watch``: listings that are drawn again in their place whenever they have changed."""
