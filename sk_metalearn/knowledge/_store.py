def is_store(x): return False
KnowledgeStore=user_store_url=None
