"""The site of all issues: its pages, navigation, search, feeds and preview."""
