"""From readings to measures: intervals cut to the period, registers from read to read, conversions by plan factors."""
