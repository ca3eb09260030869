using System.Diagnostics;

namespace Platform.Support;

/// <summary>The servers that tests share. <c>./test.sh</c> starts them and sets the variables that name them.</summary>
public static class Servers
{
    /// <summary>
    /// Connection string of the database server's administrator (<c>TEST_POSTGRES</c>, or <c>TEST_MYSQL</c> in the MySQL build).
    /// </summary>
    /// <exception cref="InvalidOperationException">The variable is not set.</exception>
    public static string Database => Required(DatabaseServer.Variable);

    /// <summary>AMQP address of the broker with user and password (<c>TEST_RABBITMQ</c>).</summary>
    /// <exception cref="InvalidOperationException">The variable is not set.</exception>
    public static Uri RabbitMq => new(Required("TEST_RABBITMQ"));

    /// <summary>Address of the broker's management plugin with user and password (<c>TEST_RABBITMQ_MANAGEMENT</c>).</summary>
    /// <exception cref="InvalidOperationException">The variable is not set.</exception>
    public static Uri RabbitMqManagement => new(Required("TEST_RABBITMQ_MANAGEMENT"));

    /// <summary>
    /// A folder name, not created yet, for a server of one test. <c>./test.sh</c> ends whatever runs in it and removes it.
    /// </summary>
    internal static string NewFolder(string name) =>
        Path.Combine(
            Environment.GetEnvironmentVariable("TEST_SERVERS") ?? Path.Combine(Path.GetTempPath(), "platform-tests"),
            $"{name}-{Guid.NewGuid():N}"
        );

    /// <summary>Runs <c>tools/servers.sh</c> and returns the <c>name=value</c> lines that it prints.</summary>
    /// <exception cref="InvalidOperationException">The script failed; the message contains its error output.</exception>
    internal static async Task<Dictionary<string, string>> RunScriptAsync(params IEnumerable<string> arguments)
    {
        var script = Path.Combine(Repository.Root, "tools", "servers.sh");
        using var process = Process.Start(
            new ProcessStartInfo("bash", [script, .. arguments])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"tools/servers.sh {string.Join(' ', arguments)} failed:{Environment.NewLine}{await error}"
            );
        }

        return (await output)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair[1]);
    }

    private static string Required(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value
            ? value
            : throw new InvalidOperationException($"{variable} is not set: run ./test.sh, which starts the servers that this test needs.");
}
