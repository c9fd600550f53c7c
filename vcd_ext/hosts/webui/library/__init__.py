"""What lies in the WebUI's folders: motion modules, embeddings and ControlNets."""
