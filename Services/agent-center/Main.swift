import ServiceDefaults

@main
enum Main {
    static func main() async { await ServiceCommand.main(Application.self) }
}
