"""What a client and a firm have agreed beyond hours times rate: flat fees, caps, discounts, volume."""
