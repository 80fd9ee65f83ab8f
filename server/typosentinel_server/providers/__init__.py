"""Evidence from metadata providers: who is asked, how, and what their answers come to. Strangers, all of them."""
