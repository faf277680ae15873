"""What the service costs, each figure beside a plain Flask route on the same server in the same run."""
