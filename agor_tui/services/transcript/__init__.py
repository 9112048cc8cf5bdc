"""A session as a document to read: Markdown, HTML or plain text."""
