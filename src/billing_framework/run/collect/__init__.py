"""Money comes in and goes out: payments, settling, returns, refunds, transfers, held money, holds."""
