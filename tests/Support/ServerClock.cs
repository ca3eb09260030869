using System.Globalization;

namespace Platform.Support;

/// <summary>The clock of a database server of one test, which can jump while the server runs. Needs Debian's package <c>libfaketime</c>.</summary>
public sealed class ServerClock
{
    private const string Library = "libfaketimeMT.so.1";

    private ServerClock(string folder) => Folder = folder;

    /// <summary>The folder of the server that has this clock.</summary>
    public string Folder { get; }

    private string Offset => Path.Combine(Folder, "clock");

    /// <summary>Prepares the folder of a server that is not created yet. Its clock is right at first.</summary>
    /// <exception cref="SkipTestException">The library is missing.</exception>
    public static ServerClock Create()
    {
        if (Environment.GetEnvironmentVariable("PLATFORM_SERVERS") == "newer")
        {
            throw new SkipTestException("The newer servers have a root folder of their own, without libfaketime.");
        }

        var library =
            Directory
                .EnumerateDirectories("/usr/lib")
                .Select(folder => Path.Combine(folder, "faketime", Library))
                .FirstOrDefault(File.Exists)
            ?? throw new SkipTestException("libfaketime is not installed (Debian's package libfaketime).");
        var clock = new ServerClock(Servers.NewFolder(DatabaseServer.Kind));
        Directory.CreateDirectory(clock.Folder);
        clock.Set(TimeSpan.Zero);
        File.WriteAllLines(
            Path.Combine(clock.Folder, "environment"),
            // A clock that somebody sets moves no monotonic clock.
            [$"LD_PRELOAD={library}", $"FAKETIME_TIMESTAMP_FILE={clock.Offset}", "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"]
        );
        return clock;
    }

    /// <summary>Makes the clock differ from the machine's by this much from now on.</summary>
    public void Set(TimeSpan offset)
    {
        // No reader may see half of it.
        var next = $"{Offset}.next";
        File.WriteAllText(next, string.Create(CultureInfo.InvariantCulture, $"{offset.TotalSeconds:+0;-0;+0}\n"));
        File.Move(next, Offset, overwrite: true);
    }
}
