using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Platform.Cli.Api;
using Platform.Cli.Diagnosis;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>doctor</c>: shows the services, their pools and who holds connections, and says what is wrong.</summary>
internal static class DoctorCommand
{
    private const int NumberWidth = 7;
    private const int TimeWidth = 9;

    public static Command Create(CliOptions options)
    {
        var command = new Command("doctor", "Show the services, their pools and who holds connections, and say what is wrong");
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var answer = await session.Client.ListServicesAsync(cancellationToken);
                var findings = Findings.Of(answer.Value);
                string[] remarks = [.. Remarks.OfWorkers(answer.Value), .. await RemarksOfKindsAsync(session, cancellationToken)];
                if (session.IsJson)
                {
                    session.WriteJson(json =>
                    {
                        json.WriteStartObject();
                        WriteTexts(json, "findings", findings);
                        WriteTexts(json, "remarks", remarks);
                        json.WritePropertyName("services");
                        answer.Json.WriteTo(json);
                        json.WriteEndObject();
                    });
                }
                else
                {
                    Print(session.Terminal, answer.Value, findings, remarks);
                }

                return findings.Count == 0 ? ExitCode.Ok : ExitCode.Found;
            }
        );
        return command;
    }

    private static void Print(CliTerminal terminal, ServiceList list, IReadOnlyList<string> findings, IReadOnlyList<string> remarks)
    {
        var instances = list
            .Services.SelectMany(service => service.Instances.Select(instance => (service.Name, Instance: instance)))
            .ToList();
        var nameWidth = Width("service", instances.Select(i => i.Name));
        var hostWidth = Width("instance", instances.Select(i => i.Instance.Host));
        var pools = new TextTable(terminal, nameWidth, hostWidth, NumberWidth, NumberWidth, NumberWidth, NumberWidth, NumberWidth);
        pools.WriteRow(["service", "instance", "pool", "in use", "idle", "waiting", "tasks", "seen"]);
        foreach (var (name, instance) in instances)
        {
            pools.WriteRow([
                name,
                instance.Host,
                Figures.Count(instance.Pool.Max),
                Figures.Count(instance.Pool.InUse),
                Figures.Count(instance.Pool.Idle),
                Figures.Count(instance.Pool.Waiting),
                instance.Slots == 0 ? "-" : $"{Figures.Count(instance.InFlight)}/{Figures.Count(instance.Slots)}",
                list.Now is null ? "" : $"{Figures.Duration(instance.SeenAt, list.Now)} ago",
            ]);
        }

        if (list.Connections is { } budget)
        {
            terminal.WriteLine("");
            terminal.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"connections: the pools may open {budget.Pools + budget.Direct} of {budget.Available} (max_connections {budget.Max}, {budget.Reserved} reserved)"
                )
            );
        }

        PrintHolders(terminal, instances, nameWidth);
        terminal.WriteLine("");
        foreach (var remark in remarks)
        {
            terminal.WriteLine($"- {remark}");
        }

        foreach (var finding in findings)
        {
            terminal.WriteLine($"! {finding}");
        }

        if (findings.Count == 0)
        {
            terminal.WriteLine("Nothing is wrong.");
        }
    }

    /// <summary>What the services told must be shown even where nothing more can be learned: this is the command for such times.</summary>
    private static async Task<IReadOnlyList<string>> RemarksOfKindsAsync(CliSession session, CancellationToken cancellationToken)
    {
        try
        {
            return await Remarks.OfKindsAsync(session.Client, cancellationToken);
        }
        catch (Exception e) when (e is ApiRefusedException or ApiUnavailableException)
        {
            return [$"Which kinds are paused is not known: {e.Message}"];
        }
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    private static void PrintHolders(CliTerminal terminal, List<(string Name, ServiceInstance Instance)> instances, int nameWidth)
    {
        var holders = instances
            .SelectMany(i => i.Instance.ConnectionHolders.Select(holder => (i.Name, Holder: holder)))
            .OrderByDescending(h => h.Holder.HeldSeconds)
            .ToList();
        if (holders.Count == 0)
        {
            return;
        }

        terminal.WriteLine("");
        var table = new TextTable(terminal, nameWidth, TimeWidth, TimeWidth);
        table.WriteRow(["service", "held", "idle", "who holds a connection"]);
        foreach (var (name, holder) in holders)
        {
            table.WriteRow([
                name,
                Seconds(holder.HeldSeconds),
                holder.IdleSeconds is { } idle ? Seconds(idle) : "runs",
                HolderText.Name(holder),
            ]);
        }
    }

    private static int Width(string title, IEnumerable<string> texts) =>
        texts.Select(t => TerminalText.Line(t).Length).Append(title.Length).Max();

    private static string Seconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s");
}
