"""The Kibana Query Language: it has no server here, so its texts are read by its own grammar.

Elasticsearch has the language as a query since 8.16; where the test server has that, it is asked.
"""
