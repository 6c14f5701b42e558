"""The Evaluate page: what is compared, its numbers and its faces; making predictions."""
