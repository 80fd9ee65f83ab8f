"""Rights granted by the chart, held against the rights that the operator has used: `make audit-rights`."""
