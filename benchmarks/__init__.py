"""What Openplate costs, and where its measured rows are kept."""
