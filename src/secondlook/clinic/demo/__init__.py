"""A practice to try the site with: people who enter by links, and patients whose lesions are drawn."""
