import Logging
print("attune")
