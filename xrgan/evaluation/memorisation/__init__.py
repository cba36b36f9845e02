"""Has the generator memorised: nearest training images, suspected copies, and the report about them."""
