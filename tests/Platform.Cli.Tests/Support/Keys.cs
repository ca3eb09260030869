namespace Platform.Cli.Tests.Support;

/// <summary>Keys of the form that the API makes.</summary>
internal static class Keys
{
    public const string Id = "0123456789abcdef";

    public static readonly string Key = Of('a');

    /// <summary>A key whose secret is one digit, again and again.</summary>
    public static string Of(char digit) => $"platform_{Id}_{new string(digit, 64)}";

    /// <summary>A host's variables that name a key file or hold a key.</summary>
    public static Surroundings With(string? file = null, string? key = null)
    {
        var surroundings = new Surroundings();
        if (file is not null)
        {
            surroundings.Environment["PLATFORM_API_KEY_FILE"] = file;
        }

        if (key is not null)
        {
            surroundings.Environment["PLATFORM_API_KEY"] = key;
        }

        return surroundings;
    }
}
