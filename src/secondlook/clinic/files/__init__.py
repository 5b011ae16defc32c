"""What is kept of pictures: encrypted files under names that say nothing, each with its row and none without."""
