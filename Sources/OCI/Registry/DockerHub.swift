/// The registry that docker means where a reference names none, and the names that it goes by.
enum DockerHub {
    static let name = "docker.io"
    /// Where it answers.
    static let host = "registry-1.docker.io"
    /// What `docker login` files its credentials under.
    static let credentialsKey = "https://index.docker.io/v1/"
    /// All of them stand for the one registry; `index.docker.io` in references too.
    static let names: Set = [name, "index.docker.io", host]
    /// What a reference of one word is in.
    static let officialNamespace = "library"
}
