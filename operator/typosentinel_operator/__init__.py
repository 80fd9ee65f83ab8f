"""The Typosentinel operator: reconciles ScanServices, CachePolicies and ScalingPolicies."""
