"""What tests share: databases, browsers, builders of rows, servers."""
