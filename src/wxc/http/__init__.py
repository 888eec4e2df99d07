"""What routers share: answers, requests, pages."""
