"""What a clinic does to pictures, at five levels, and how much of it a bundle stands."""
